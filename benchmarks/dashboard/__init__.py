"""How long the dashboard's pages take with a large database behind them."""
