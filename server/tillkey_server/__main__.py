"""`python -m tillkey_server` is `tillkey-server`."""

from tillkey_server.cli.main import main

if __name__ == "__main__":
    main()
