"""One prompt over a table: rows in, answers out in the same order, and nothing lost on the way.

table.py and its kin read what people have rows in; question.py makes a row a prompt; engine.py asks, many at a time;
journal.py keeps each answer on disk before it counts; mapping.py is what a caller sees.
"""
