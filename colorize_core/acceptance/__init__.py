"""Acceptance on a machine with a network: what can be downloaded is downloaded, compared with what
is known of it, tried on the examples and scored, and a report says what became of it.
`python -m colorize_core verify --help` says how it is asked for.

    subjects    what can be verified
    references  values that originals of the ports gave
    checks      what is done with one subject
    run         all of it, what was done before left out
    report      the CSV file that a later run goes on with, and the page
"""
