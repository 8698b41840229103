"""The book as a site: equations beside code and claim, sources as pages, the checks of it all."""
