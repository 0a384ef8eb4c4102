/** Who one is in this window, and in the others. */
export const who = {
  here: () => "All windows of this browser are this guest. Your seats are yours in each of them.",
  member: () => "You have an account: all windows of this browser, and all devices on which you sign in, are you.",
  account: () => "Account",
  other: () => "In this window alone you play as this guest. Other windows of this browser have another one.",
  beBack: () => "Be who I am in the other windows",
  beOther: () => "Play as somebody else in this window",
};
