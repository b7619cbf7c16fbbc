"""The contact sheet: one HTML page from the records of a folder of pictures."""
