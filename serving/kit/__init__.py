"""What the API's pages and the reports share: charts as SVG, texts of numbers, type, colours."""
