/** What every page says: its head, who one is, settings, the connection, one's tables. */
import { chips } from "../../format.js";
import { euro, eun } from "./particles.js";

export const page = {
  brand: () => "Cardhouse",
  brandToLobby: () => "Cardhouse, 로비로",
  toLobby: () => "로비로 돌아가기",
  panel: () => "핸드 기록과 채팅",
  tableTitle: (name) => `${name} · Cardhouse`,
  table: () => "테이블",
  cancel: () => "취소",

  who: () => "내 정보",
  haveAccount: () => "계정이 있습니다",
  close: () => "닫기",

  welcome: () => "Cardhouse에 오신 것을 환영합니다",
  otherTitle: () => "다른 사람으로 플레이",
  pickName: () => "게임 머니로 즐기는 홀덤입니다. 다른 플레이어에게 보일 이름을 정해 주세요.",
  yourName: () => "이름",
  enter: () => "입장하기",

  language: () => "언어",
  settings: () => "설정",
  tiles: () => "테이블 나란히 보기",
  turnNth: (number) => `내 차례 ${number}번째`,
  notCome: () => "페이지의 이 부분을 불러오지 못했습니다. 다시 시도하거나 새로고침해 주세요.",

  line: {
    online: () => "온라인",
    silent: () => "응답 없음",
    connecting: () => "연결 중",
    offline: () => "오프라인",
  },
  lag: (ms) => `${chips(ms)} ms`,
  unplugged: () => "기기가 네트워크에 연결되어 있지 않습니다.",
  noAnswer: () => "서버가 응답하지 않습니다.",
  lineLost: () => "연결이 끊겼습니다.",
  connect: () => "연결",
  tryNow: () => "지금 시도",
  silentFor: (seconds) => `${chips(seconds)}초째 응답이 없습니다.`,
  triesNow: () => "다시 연결하고 있습니다.",
  triesIn: (seconds) => `${chips(seconds)}초 뒤에 다시 시도합니다.`,

  yourTables: () => "내 테이블",
  otherWindow: () => "다른 창",
  turn: {
    in: (seconds) => `내 차례 ${seconds}초`,
    at: (name) => `${name}, 내 차례`,
    title: (name) => `내 차례 · ${name}`,
    call: (name) => `${name} 테이블에서 내 차례입니다.`,
  },
  offerAlerts: () => "다른 화면을 볼 때 내 차례가 되면 알림을 보내 드릴까요?",
  yes: () => "예",
  no: () => "아니요",

  tableClosed: () => "이 테이블은 닫혔습니다.",
  noTable: () => "그런 테이블은 없습니다.",
  expired: () => "입장권이 만료되었습니다",
  expiredAs: (name) => `입장권의 유효 시간보다 오래 자리를 비웠습니다. 새 게스트 ${euro(name)} 입장합니다.`,
  expiredSeat: (table, stack) => `${table} 테이블의 자리와 칩 ${eun(chips(stack))} 이전 게스트의 것입니다.`,
  anew: () => "서버가 새로 시작되었습니다",
  anewAs: (name) => `서버가 이전 기록을 잃어, 새 게스트 ${euro(name)} 입장합니다.`,
  anewSeat: (table, stack) => `${table} 테이블의 자리와 그곳에 있던 칩 ${eun(chips(stack))} 사라졌습니다.`,
  anewHands: () => "진행 중이던 핸드는 결과 없이 끝났고, 핸드 기록도 새로 시작됩니다.",
  goOn: () => "계속",
};
