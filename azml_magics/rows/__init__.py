"""One prompt over a table: a request is sent for each row, and the table comes back with the responses.

api.py         map_rows and amap_rows; run_options.py: the limits of a run
mapper.py      a prompt and a table, checked and ready to run; dry_run.py: the requests of a run that sends nothing
sources.py     tables: lists and iterators; files.py: CSV, JSON lines, Parquet; frames.py: pandas, polars and what can
               become one; lookahead.py: rows of iterators that were looked at; selection.py: limit and sample
table_rows.py  rows on their way in and out; row_values.py: the values of a row of any kind
prompts.py     a row becomes a request; extraction.py: what a schema adds
runner.py      sends many rows at a time; failure_policy.py and token_budget.py: when a run ends;
               progress.py: its counts
journal.py     keeps every response on disk; entries.py: its lines
results.py     the rows with their responses; failures.py: failed rows by cause
dask.py        the same on a cluster; dask_worker.py: a worker's part
"""
