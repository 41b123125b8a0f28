"""Whether the company owns what it uses: the license position, what mends it, and what to renew."""
