/** Games by the codes of a table's settings. */
export const games = {
  variant: {
    holdem: () => "홀덤",
    omaha4: () => "오마하",
    omaha5: () => "5카드 오마하",
    omaha6: () => "6카드 오마하",
    short_deck: () => "쇼트덱",
  },
  limit: { no_limit: () => "노리밋", pot_limit: () => "팟리밋" },
  named: (limit, variant) => `${limit} ${variant}`,
};
