/** What a player can set about the seat, and keys. */
import { eun } from "./particles.js";
import { nim } from "./words.js";

export const seat = {
  // Amounts come in words: as chips or in big blinds.
  callFor: (amount) => `콜 ${amount}`,
  betOf: (amount) => `벳 ${amount}`,
  raiseTo: (amount) => `레이즈 ${amount}`,
  allInFor: (amount) => `올인 ${amount}`,
  potOf: (amount) => `팟 ${amount}`,
  odds: (percent) => `팟 오즈 ${percent}%`,

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
  moreButtons: () => "내 자리 메뉴",

  set: {
    inBlinds: () => "BB 단위로 보기",
    potOdds: () => "팟 오즈",
    showAfter: () => "핸드가 끝나면 내 카드 공개",
    stayAwake: () => "화면 켜 두기",
  },
  setHelp: {
    inBlinds: () => "테이블의 스택, 베팅, 팟을 빅 블라인드로 표시합니다. 핸드 기록은 칩으로 표시합니다.",
    potOdds: () => "콜 버튼에 콜 금액이 팟에서 차지하는 비율을 표시합니다.",
    showAfter: () => "쇼다운 없이 이겼거나 진 패를 숨길 수 있을 때도 공개합니다. 끄면 그런 카드는 공개되지 않습니다.",
    stayAwake: () => "자리에 앉아 테이블을 보고 있는 동안 화면이 꺼지지 않습니다.",
  },
  sizes: {
    title: () => "금액 버튼",
    help: () => "스트리트마다 세 개까지: 50%나 팟(pot)은 팟의 비율, 2.5x는 마지막 베팅의 배수, 3bb는 빅 블라인드, 최소(min)는 가장 작은 금액입니다.",
    preflop: () => "프리플랍",
    flop: () => "플랍",
    turn: () => "턴",
    river: () => "리버",
    unclear: () => "알 수 없는 값이라 그대로 두었습니다.",
  },

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

  keys: {
    open: () => "단축키",
    title: () => "테이블 단축키",
    how: () => "바꿀 키를 선택하세요.",
    press: () => "키를 누르세요",
    change: (what, key) => `${what}: ${key}. 바꾸기`,
    taken: (key, what) => `${eun(key)} 이미 쓰는 키입니다: ${what}.`,
    reserved: (key) => `${eun(key)} 쓸 수 없는 키입니다.`,
    usual: () => "기본 키로",
    done: () => "완료",
  },
  command: {
    fold: () => "폴드(콜할 금액이 있을 때)",
    call: () => "체크 또는 콜",
    raise: () => "금액 입력",
    more: () => "빅 블라인드만큼 올리기",
    less: () => "빅 블라인드만큼 내리기",
    amount1: () => "첫째 금액",
    amount2: () => "둘째 금액",
    amount3: () => "셋째 금액",
    amount4: () => "넷째 금액",
    confirm: () => "그 금액으로 벳 또는 레이즈",
    away: () => "금액 입력 끝내기",
    help: () => "이 목록",
  },
};
