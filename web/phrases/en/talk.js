/** What people say to each other, and whom one does not want to hear. */

export const talk = {
  open: () => "Quick phrases",
  /** These are known in every language: who reads another one sees them in theirs. */
  quick: {
    hello: () => "Hello!",
    luck: () => "Good luck!",
    hand: () => "Nice hand!",
    played: () => "Well played!",
    thanks: () => "Thanks!",
    moment: () => "One moment, please",
  },
  emote: {
    clap: () => "Applause",
    laugh: () => "Laughter",
    wow: () => "Astonishment",
    cry: () => "Tears",
    cool: () => "Sunglasses",
    sorry: () => "Folded hands",
  },
  about: (name) => `About ${name}`,
  mute: () => "Hide what they write",
  report: () => "Report…",
};
