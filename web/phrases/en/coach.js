/** Asking the coach, who is a machine. */

export const coach = {
  open: () => "Ask the coach",
  machine: () => "Whatever the coach says is said by a machine, and may be wrong.",
  mark: () => "said by a machine",
  empty: () => "You have asked nothing so far. What you ask stays here for an hour.",
  questions: () => "Your questions",
  question: () => "Your question",
  placeholder: () => "About the rules, or a hand that is over",
  ask: () => "Ask",
  long: () => "That is too long. Ask in fewer words.",
  inHand: () => "You have cards in a hand that is being played. There is no advice about a hand in play: ask when it is over.",
  step: {
    waits: () => "Waits",
    taken: () => "Is being answered",
    anew: () => "Begins anew",
    done: () => "Answered",
  },
  failed: (why) => (why ? `No answer: ${why}` : "No answer"),
  stop: () => "Stop",
  forget: () => "Forget",
  answered: () => "The coach has answered",
  heard: (answer) => `The coach has answered: ${answer}`,
  /** Where the page's words for tables do not fit. */
  refused: {
    too_many: () => "As many questions wait as may. Wait for an answer, or stop one.",
    bad_text: () => "That cannot be asked: it is empty or too long.",
    no_such_room: () => "Nobody is asked in this house.",
    no_such_job: () => "That question is gone already.",
    unknown: () => "The connection was lost before the house had answered. Look whether your question is there before you ask again.",
  },
};
