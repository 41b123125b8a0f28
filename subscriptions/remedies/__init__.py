"""What mends a license position: previewed and applied from its page, cheapest first."""
