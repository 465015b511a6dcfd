"""Irregular English forms that no suffix rule maps to their base: went to go, indices to index."""

from __future__ import annotations

FORMS = """
arise arose arisen; bear bore borne; become became; begin began begun; bind bound; bite bit bitten; blow blew blown;
break broke broken; bring brought; build built; buy bought; catch caught; child children; choose chose chosen;
come came; creep crept; criterion criteria; deal dealt; dig dug; draw drew drawn; drink drank drunk; drive drove driven;
eat ate eaten; fall fell fallen; feed fed; feel felt; fight fought; find found; flee fled; fly flew flown; foot feet;
forbid forbade forbidden; forget forgot forgotten; forgive forgave forgiven; freeze froze frozen; get got gotten;
give gave given; go went gone; grow grew grown; hang hung; hear heard; hide hid hidden; hold held; index indices;
keep kept; know knew known; lay laid; lead led; leave left; lend lent; lie lain; light lit; lose lost; make made;
man men; matrix matrices; mean meant; meet met; mouse mice; outgrow outgrew outgrown; overcome overcame;
override overrode overridden; overwrite overwrote overwritten; pay paid; person people; rebuild rebuilt;
redo redid redone; rerun reran; rewrite rewrote rewritten; ride rode ridden; ring rang rung; rise rose risen; run ran;
say said; see saw seen; seek sought; sell sold; send sent; shake shook shaken; shine shone; shoot shot; show shown;
shrink shrank shrunk; sing sang sung; sink sank sunk; sit sat; sleep slept; slide slid; speak spoke spoken;
spend spent; spin spun; stand stood; steal stole stolen; stick stuck; strike struck; swear swore sworn;
sweep swept; swim swam swum; swing swung; take took taken; teach taught; tear tore torn; tell told; think thought;
throw threw thrown; tooth teeth; undergo underwent undergone; understand understood; undo undid undone;
unwind unwound; vertex vertices; wake woke woken; wear wore worn; win won; withdraw withdrew withdrawn; woman women;
write wrote written
"""
"""Each row: the base form, then its irregular forms."""


def irregular_bases() -> dict[str, str]:
    """The base form of each irregular form."""
    rows = [row.split() for row in FORMS.split(";")]
    return {form: word for word, *forms in rows for form in forms}
