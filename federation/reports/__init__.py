"""Sheets for other people: firewall teams, reviewers."""
