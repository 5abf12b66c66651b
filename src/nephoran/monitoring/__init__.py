"""What Prometheus and Grafana are told: rules and a dashboard, made from code."""
