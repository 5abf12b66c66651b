"""What Prometheus and Grafana are told about the operator: rules and a dashboard, made from code."""
