"""One search for everything: records of every app, pages and actions, for what an account may open."""
