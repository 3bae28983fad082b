"""What the published tables say, as digests, mail, reports and listings; taken back where a red flag is open."""
