/** What a player can set about the seat, and keys. */
import { nim } from "./words.js";

export const seat = {
  // Amounts come in words: as chips or in big blinds.
  callFor: (amount) => `콜 ${amount}`,
  betOf: (amount) => `벳 ${amount}`,
  raiseTo: (amount) => `레이즈 ${amount}`,
  allInFor: (amount) => `올인 ${amount}`,
  potOf: (amount) => `팟 ${amount}`,
  odds: (percent) => `팟 오즈 ${percent}%`,

  worth: (percent, hand) => `${percent}%${hand && ` · ${hand}`}`,
  worthOnAverage: (percent, hand) => `승률 ${percent}%${hand && `, ${hand}`}`,

  showCard: (card) => `${card} 모두에게 공개`,
  showHelp: () => "내 카드를 모두 공개합니다. 한 장만 공개하려면 그 카드를 누르세요.",

  bank: () => "타임 뱅크",
  bankRuns: () => "타임 뱅크를 쓰고 있습니다.",

  advance: {
    title: () => "내 차례 전에 결정하기",
    fold: () => "폴드",
    checkFold: () => "체크/폴드",
    checkFoldHelp: () => "내 차례가 되면 바로 체크하고, 체크할 수 없으면 폴드합니다",
    check: () => "체크",
    callThis: (amount) => `콜 ${amount}`,
    callAny: () => "무조건 콜",
    callAnyHelp: () => "다음 카드가 나오기 전까지, 내 차례가 되면 금액과 상관없이 바로 콜합니다",
  },
  runs: {
    title: () => "남은 카드 딜",
    once: () => "한 번 딜",
    twice: () => "두 번 딜",
    thrice: () => "세 번 딜",
  },
  moreButtons: () => "내 자리 메뉴",

  note: {
    on: (name) => `${nim(name)} 메모`,
    whose: () => "이 브라우저에서 나에게만 보입니다.",
    text: () => "기억해 둘 내용",
    colour: () => "색",
    none: () => "색 없음",
    cancel: () => "취소",
    keep: () => "저장",
  },
  colour: {
    red: () => "빨강",
    orange: () => "주황",
    yellow: () => "노랑",
    green: () => "초록",
    blue: () => "파랑",
    purple: () => "보라",
  },
};
