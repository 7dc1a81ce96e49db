"""What tests share: databases to run on, and the guard that lets no test stand aside in CI."""
