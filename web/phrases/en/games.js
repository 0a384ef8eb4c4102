/** Games by the codes of a table's settings. */
export const games = {
  variant: {
    holdem: () => "Hold'em",
    omaha4: () => "Omaha",
    omaha5: () => "Omaha 5",
    omaha6: () => "Omaha 6",
    short_deck: () => "Short Deck",
  },
  limit: { no_limit: () => "NL", pot_limit: () => "PL" },
  named: (limit, variant) => `${limit} ${variant}`,
};
