/** Cards and what they make. Ranks are those of the protocol, such as `QTA`. Players say the rank first: `Q·7 투페어`. */

const NAMES = { A: "에이스", K: "킹", Q: "퀸", J: "잭" };
const SUITS = { c: "클로버", d: "다이아몬드", h: "하트", s: "스페이드" };

/** A hand is read at a glance: its line does not end within it. */
const NBSP = "\u00a0";

const sign = (rank) => (rank === "T" ? "10" : rank);
const signs = (ranks) => [...ranks].map(sign).join("·");

const made = {
  high_card: ([high]) => `${sign(high)}${NBSP}하이`,
  one_pair: ([pair]) => `${sign(pair)}${NBSP}원페어`,
  two_pair: ([high, low]) => `${signs([high, low])}${NBSP}투페어`,
  three_of_a_kind: ([three]) => `${sign(three)}${NBSP}트리플`,
  straight: ([top]) => `${sign(top)}${NBSP}스트레이트`,
  flush: ([high]) => `${sign(high)}${NBSP}플러시`,
  full_house: ([three, pair]) => `${signs([three, pair])}${NBSP}풀하우스`,
  four_of_a_kind: ([four]) => `${sign(four)}${NBSP}포카드`,
  straight_flush: ([top]) => (top === "A" ? "로열 스트레이트 플러시" : `${sign(top)}${NBSP}스트레이트 플러시`),
};

export const hands = {
  card: (rank, suit) => `${SUITS[suit]} ${NAMES[rank] ?? sign(rank)}`,
  /** In a sentence. */
  made,
  withKickers: (hand, ranks) => `${hand}(키커 ${signs(ranks)})`,
  /** At my own seat, where there is room for few words. */
  label: {
    ...made,
    straight_flush: ([top]) => (top === "A" ? "로열 플러시" : `${sign(top)}${NBSP}스트레이트 플러시`),
  },
  /** At the seats of others, which are small. */
  brief: {
    ...made,
    two_pair: () => "투페어",
    straight: () => "스트레이트",
    flush: () => "플러시",
    full_house: () => "풀하우스",
    straight_flush: ([top]) => (top === "A" ? "로티플" : "스티플"),
  },
  /** Of houses that tell no ranks. */
  bare: {
    high_card: () => "하이카드",
    one_pair: () => "원페어",
    two_pair: () => "투페어",
    three_of_a_kind: () => "트리플",
    straight: () => "스트레이트",
    flush: () => "플러시",
    full_house: () => "풀하우스",
    four_of_a_kind: () => "포카드",
    straight_flush: () => "스트레이트 플러시",
    royal_flush: () => "로열 스트레이트 플러시",
  },
};
