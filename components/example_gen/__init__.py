"""Customers or transactions from CSV and Parquet files into tf.Examples."""
