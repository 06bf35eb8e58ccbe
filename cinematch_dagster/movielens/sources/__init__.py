"""Where raw ratings come from: an archive, a folder, a download, or a population made up."""
