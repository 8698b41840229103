"""The commands by name: the module and the class of each."""

COMMANDS = {
    "train": "train.Train",
    "evaluate": "play.Evaluate",
    "watch": "play.Watch",
    "export": "play.Export",
    "plot": "play.Plot",
    "report": "play.Report",
    "sweep": "several.Sweep",
    "ablation": "several.Ablation",
    "explain": "studies.Explain",
    "exact": "studies.Exact",
    "groups": "studies.Groups",
    "variance": "studies.Variance",
    "random-walk": "studies.RandomWalk",
    "analytic": "studies.Analytic",
    "list": "house.List",
    "doctor": "house.Doctor",
    "completion": "house.Completion",
}
