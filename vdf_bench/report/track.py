"""What a run is about: the measures that decide in its track, and the words for what attackers make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Terms:
    """How a report speaks of a track.

    Attributes:
        name: of the track.
        success: metric of the defender's success; the summary's columns ``dsr*`` hold it.
        judge: who measures it.
        quality: metric of what attackers make, shown with it.
        success_label, quality_label: for headings.
        question: what the page answers.
        made: what an attacker makes.
        says: verdict -> what an attacker does, with a place for the clips.
        told: verdict -> what an attacker does to the defenses that are listed after it.
        asks: heading of the column that answers in one word.
        lost: what a success of the defender is.
        net: what net DSR means.
        stages: what happens in a cell, in one line each.
        strips: strip -> label, in reading order.
        caution: what a high score does not say.
        clips: what is protected, in the plural's singular.
    """

    name: str
    success: str
    judge: str
    quality: str
    success_label: str
    quality_label: str
    question: str
    made: str
    says: dict[str, str]
    told: dict[str, str]
    asks: str
    lost: str
    net: str
    stages: tuple[tuple[str, str], ...]
    strips: dict[str, str]
    caution: str
    clips: str


#: Amplification of the difference in pictures, around mid grey.
GAIN: Final = 8
_CAUTION: Final = (
    "A high score is no guarantee. It says that these attackers, {}; a stronger or adaptive attacker may. White-box "
    "and transfer results answer different questions and are never averaged."
)
_PROTECT = ("protect", "The defense changes the frames within its budget; PSNR and SSIM say how visible that is.")

VIDEO: Final = Terms(
    name="video",
    success="dsr",
    judge="dsr",
    quality="head_psnr",
    success_label="net DSR [%]",
    quality_label="head PSNR",
    question="Can somebody still clone me from the protected video?",
    made="clone",
    says={"fails": "no longer clones {}", "partly": "clones {} only in part", "still": "still clones {}"},
    told={
        "still": "still clones past",
        "partly": "clones in part past",
        "fails": "no longer clones past",
        "void": "proves nothing about",
        "unknown": "could not be judged against",
    },
    asks="cloned?",
    lost="the clone fails",
    net="DSR of the defended clone minus that of the clean clone under the same attacker: 0 means that the defense "
    "changed nothing. Identity alone passes a frozen, destroyed clone, and head PSNR alone a silent one, hence the "
    "parts. A frame can fail for several reasons, so the parts do not add up.",
    stages=(
        _PROTECT,
        (
            "capture",
            "The attacker's preprocessing: parse IoU, head recall, landmark and pose error say what survived it.",
        ),
        (
            "field",
            "The 3D field trains on the capture; head PSNR on held-out frames says whether it became the person.",
        ),
        (
            "clone",
            "The field is driven with held-out speech; DSR, lips and identity say whether the clone convinces.",
        ),
    ),
    strips={
        "original": "original",
        "protected": "protected",
        "difference": f"difference ×{GAIN}",
        "clean": "clone of the original",
        "defended": "clone of the protected",
    },
    caution=_CAUTION.format("with these purifiers, at this size and training time, did not make a usable clone"),
    clips="clip",
)

IMAGES: Final = Terms(
    name="images",
    success="dsr_l2",
    judge="editing",
    quality="edit_psnr",
    success_label="net DSR (L2) [%]",
    quality_label="edit PSNR",
    question="Can somebody still edit the protected portrait?",
    made="edit",
    says={
        "fails": "gives other edits of {}",
        "partly": "gives some other edits of {}",
        "still": "edits {} as before",
    },
    told={
        "still": "edits as before past",
        "partly": "edits in part as before past",
        "fails": "gives other edits past",
        "void": "proves nothing about",
        "unknown": "could not be judged against",
    },
    asks="edited as before?",
    lost="edits come out otherwise",
    net="share of an editor's changes whose result on the protected portrait differs from that on the clean one by "
    "more than .05 (masked L2, RGB in [-1,1]), through the same attacker. It says that the edit is another one, not "
    "that it is useless or no longer shows the person: look at the pictures and at identity.",
    stages=(_PROTECT, ("edit", "The editor makes every change that it knows; what it gives is set against the clean.")),
    strips={
        "clean": "original, and its edits",
        "defended": "protected, and its edits",
        "difference": f"differences: ×{GAIN} of the portrait, ×1 of the edits",
    },
    caution=_CAUTION.format(
        "with these purifiers, at this size, did not make the edit that they make of the clean portrait"
    ),
    clips="portrait",
)

TRACKS: Final = {terms.name: terms for terms in (VIDEO, IMAGES)}
