"""The Tillkey license server: rules, storage, signing, HTTP interface and command line."""
