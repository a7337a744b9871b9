"""The pipeline on Kubeflow and Vertex."""
