"""The HTTP interface: parse, call a use case, render. It opens no transaction and decides nothing."""
