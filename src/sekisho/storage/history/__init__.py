"""History: everything that happened, in Parquet files partitioned by day and sealed in a chain."""
