"""Tests of recipes: their examples rendered and compared with what was reviewed."""
