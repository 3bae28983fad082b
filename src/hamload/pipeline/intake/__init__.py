"""Where documents come in: services are fetched, files are put. Nothing is decoded here."""
