"""The public API for plug-in authors: base classes, inputs, outputs and exceptions.

Import only from this module, as in ``from assay.plugins import MomentScore, NotApplicable``; its submodules
may change. docs/extending.md shows one plug-in of each kind, with its inputs.
"""

from __future__ import annotations

from assay.core.errors import ModelError, NotApplicable, UnknownName, UnreadableTask, UsageError
from assay.core.estimate import Estimate, Interval
from assay.core.features import Encoded, Features, LabelledFeatures, LabelledSourceProbs
from assay.core.held_out import HeldOutPredictions
from assay.core.keys import content_key
from assay.core.metric import Metric
from assay.core.model import FisherProbe, Layered, LinearHead, Model, ModelFacts, ModelSource
from assay.core.predictor import Decision, Predicted, Predictor
from assay.core.result import Event, Finished, Opened, Result, Status
from assay.core.task import (
    Example,
    Examples,
    LabelKind,
    Labels,
    Modality,
    Sound,
    Split,
    SplitName,
    Task,
    TaskKind,
    Words,
)
from assay.core.task_source import TaskSource
from assay.core.trainable import Trainable
from assay.findings.comparison import Comparison
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.ridge import LeftOut
from assay.moments.scatter import Scatter
from assay.moments.spectrum import Spectrum
from assay.plugins.engine import Engine, Evaluate, Stage, Watch
from assay.plugins.method import (
    EVERY_KIND,
    ContrastScore,
    FactScore,
    FisherScore,
    HeldOutScore,
    Invariance,
    MomentScore,
    SampleScore,
    Score,
    SourceScore,
    WeightScore,
)
from assay.plugins.protocol import (
    FeatureProtocol,
    Fitted,
    ModelProtocol,
    SourceProtocol,
    SubsetProtocol,
    TrainingTask,
    TunedModel,
)
from assay.plugins.report import Report
from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler, Work, WorkT
from assay.plugins.train_view import HeldOut, TrainView

__all__ = [
    "EVERY_KIND",
    "Comparison",
    "ContrastScore",
    "Decision",
    "Encoded",
    "Engine",
    "Estimate",
    "Evaluate",
    "Event",
    "Example",
    "Examples",
    "FactScore",
    "FeatureProtocol",
    "Features",
    "Finished",
    "FisherProbe",
    "FisherScore",
    "Fitted",
    "FoldedMoments",
    "HeldOut",
    "HeldOutPredictions",
    "HeldOutScore",
    "Interval",
    "Invariance",
    "LabelKind",
    "LabelledFeatures",
    "LabelledSourceProbs",
    "Labels",
    "Layered",
    "LeftOut",
    "LinearHead",
    "Metric",
    "Modality",
    "Model",
    "ModelError",
    "ModelFacts",
    "ModelProtocol",
    "ModelSource",
    "MomentScore",
    "Moments",
    "NotApplicable",
    "Observed",
    "ObservedModel",
    "Opened",
    "Pause",
    "Predicted",
    "Predictor",
    "Report",
    "Result",
    "SampleScore",
    "Scatter",
    "Scheduler",
    "Score",
    "Sound",
    "SourceProtocol",
    "SourceScore",
    "Spectrum",
    "Split",
    "SplitName",
    "Stage",
    "Status",
    "SubsetProtocol",
    "Task",
    "TaskKind",
    "TaskSource",
    "TrainView",
    "Trainable",
    "TrainingTask",
    "TunedModel",
    "UnknownName",
    "UnreadableTask",
    "UsageError",
    "Watch",
    "WeightScore",
    "Words",
    "Work",
    "WorkT",
    "content_key",
]
