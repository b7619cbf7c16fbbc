"""The service's side: what is sent and how replies are read, as flows that do no I/O."""
