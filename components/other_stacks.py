"""What other stacks of the same state backend publish."""

import pulumi

from federation.peers.other_stacks import HIDDEN, Unread


def published_descriptors(stack: str) -> object:
    """The output `descriptors` of another stack, read by the engine at once; None without one, Unread when it cannot be read.

    Not by a `pulumi.StackReference`: that resource keeps all outputs of the other stack in this stack's state, and fails the whole
    preview when the other stack is gone (docs/decisions/0024-another-stack-is-read-not-referenced.md).
    """
    try:
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack}).value
    except Exception as error:  # whatever the backend says: a peer that does not answer keeps its accepted route
        reason = str(error).rpartition("readStackOutputs failed: ")[2].rpartition("returned an error: ")[2]
        return Unread(reason.strip())
    return HIDDEN if "descriptors" in answer["secretOutputNames"] else answer["outputs"].get("descriptors")
