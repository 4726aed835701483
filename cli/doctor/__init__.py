"""Questions to a cluster, and the rows that their answers become."""
