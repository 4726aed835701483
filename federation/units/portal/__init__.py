"""FedLCM's Site Portal and FML Manager."""
