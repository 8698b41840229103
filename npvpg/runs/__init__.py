"""What a run is: configuration, directory, log, checkpoint, progress, evaluation, statistics."""
