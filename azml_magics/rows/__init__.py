"""One prompt over a table: each row is sent, and the table comes back with the responses.

api.py         map_rows and amap_rows
mapper.py      a prompt and a table, checked and ready to run
sources.py     tables: lists, iterators, files; frames.py: pandas and polars; selection.py: limit and sample
prompts.py     a row becomes a request; extraction.py: what a schema adds
runner.py      sends many rows at a time; failures.py: when a run ends; progress.py: its counts
journal.py     keeps every response on disk; entries.py: its lines
results.py     the rows with their responses
dask.py        the same on a cluster; dask_worker.py: a worker's part
"""
