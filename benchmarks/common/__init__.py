"""What every benchmark needs: options, clocks, the file of results, and pages made from it."""
