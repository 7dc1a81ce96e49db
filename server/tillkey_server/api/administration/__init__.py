"""The administration: what people and programs with an API key do, one file for each thing they do it to."""
