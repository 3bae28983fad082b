"""The digest: what a runner is told of a day, as text, HTML and Markdown. Facts in (`facts`), strings out (`render`).

It reads no warehouse and computes no number: `outbox` writes what was rendered, sending is not in here.
"""
