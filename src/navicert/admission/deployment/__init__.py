"""What is installed into a cluster: objects, and the chart that makes the same ones."""
