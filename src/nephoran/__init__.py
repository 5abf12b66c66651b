"""The intent operator: a sentence becomes a verified commit, and E2 nodes stay registered with their RIC."""
