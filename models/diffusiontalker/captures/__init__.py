"""Captured performances: real faces with their sound, from BEAT, VOCASET or one's own iPhone, made into one corpus.

Nothing here imports torch.
"""
