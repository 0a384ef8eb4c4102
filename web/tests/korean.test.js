import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { chips, chipsBrief, chipsShort } from "../format.js";
import { game, gameNamed } from "../games.js";
import { bestHand } from "../hand-rank.js";
import { handLabel } from "../hand-words.js";
import { isolated } from "../names.js";
import { eul, eun, euro, gwa, i } from "../phrases/ko/particles.js";
import { firstOf, language, LANGUAGES, speak } from "../phrases/language.js";
import { say as page } from "../phrases/page.js";
import { byCode, phrases } from "../phrases/phrases.js";
import { say as refusals } from "../phrases/refusals.js";
import { Story } from "../story.js";
import { describe, ending, result } from "../words.js";

const view = { seats: [{ name: "Ann" }, { name: "민지" }, { name: "철수" }, null], hand: { pots: [] } };
const plain = (text) => text.replaceAll(/[\u2060\u2068\u2069]/g, "").replaceAll("\u00a0", " ");
const told = (event) => plain(describe(event, view).text());

beforeEach(() => speak("ko"));
afterEach(() => speak("en"));

test("a particle follows the last sound of a word: in Hangul", () => {
  assert.deepEqual(["민지", "철수", "영철", "수민"].map(i), ["민지가", "철수가", "영철이", "수민이"]);
  assert.deepEqual(["민지", "영철", "수민"].map(euro), ["민지로", "영철로", "수민으로"]);
  assert.deepEqual([eun("플러시"), eul("트리플"), gwa("포카드"), euro("트리플"), euro("원페어")], ["플러시는", "트리플을", "포카드와", "트리플로", "원페어로"]);
});

test("a particle follows the last sound of a number as it is read", () => {
  const sounds = { 0: "영", 1: "일", 2: "이", 3: "삼", 4: "사", 5: "오", 6: "육", 7: "칠", 8: "팔", 9: "구" };
  for (const [digit, sound] of Object.entries(sounds)) {
    for (const with_ of [eun, i, eul, euro]) assert.equal(with_(`${digit}`).slice(1), with_(sound).slice(1), digit);
  }
  const large = { 10: "십", 1_200: "백", 5_000: "천", 30_000: "만", 500_000: "만", 100_000_000: "억", "1,000,000,000,000": "조", 12: "이", 101: "일" };
  for (const [number, sound] of Object.entries(large)) {
    for (const with_ of [eun, i, eul, euro]) assert.equal(with_(`칩 ${number}`).slice(2 + number.length), with_(sound).slice(1), number);
  }
  assert.deepEqual([euro("1.5"), euro("2.50"), eul("12.5만"), eul("1,234")], ["1.5로", "2.50으로", "12.5만을", "1,234를"]);
  // es-hangul gave `1를` once, and `URL를`: it heard nothing in digits and Latin letters.
  assert.deepEqual([eul("1"), eul("2"), euro("7"), eul("URL")], ["1을", "2를", "7로", "URL을"]);
});

test("a particle follows the last sound of Latin letters as Koreans hear them", () => {
  const ends = { Ann: "앤", Bob: "밥", Jack: "잭", Mark: "마크", Mike: "마이크", Jane: "제인", Cole: "콜", Apple: "애플", Cleo: "클레오", Zoë: "조에", Peter: "피터", Kim: "김", NL: "엘", KBS: "에스", R: "알", A: "에이", Paul: "폴", Scott: "스콧", Ming: "밍" };
  for (const [name, heard] of Object.entries(ends)) {
    for (const with_ of [eun, i, eul, euro]) assert.equal(with_(name).slice(name.length), with_(heard).slice(heard.length), name);
  }
});

test("what is not heard at the end of a word decides nothing, and where nothing is heard both are written", () => {
  assert.equal(i(isolated("민지")), `${isolated("민지")}가`);
  assert.deepEqual([euro("7 원페어(키커 A·K)"), eun("Christopher K."), i("수민~"), i("지우 👍🏽")], ["7 원페어(키커 A·K)로", "Christopher K.는", "수민~이", "지우 👍🏽가"]);
  assert.deepEqual(["علی", "小明", "👩‍👧", ""].map(euro), ["علی(으)로", "小明(으)로", "👩‍👧(으)로", "(으)로"]);
});

test("events are told as Korean players tell them", () => {
  const acted = (more) => told({ e: "acted", seat: 0, amount: 10, to: 12, all_in: false, timeout: false, ...more });
  assert.equal(acted({ kind: "raise" }), "Ann님 12로 레이즈");
  assert.equal(acted({ kind: "raise", to: 1_300 }), "Ann님 1,300으로 레이즈");
  assert.equal(acted({ kind: "call", all_in: true }), "Ann님 콜 10, 올인");
  assert.equal(acted({ kind: "fold", timeout: true }), "Ann님 폴드 (시간 초과)");
  assert.equal(told({ e: "seated", name: "Cleo", bot: true, seat: 1, stack: 80 }), "Cleo님(봇)이 2번 자리에 칩 80으로 앉았습니다");
  assert.equal(told({ e: "left", seat: 3, stack: 212 }), "4번 자리가 칩 212를 가지고 나갔습니다");
  assert.equal(told({ e: "returned", seat: 1, amount: 6 }), "콜되지 않은 6이 민지님에게 돌아갔습니다");
  assert.equal(told({ e: "street", street: "flop", cards: ["Td", "2c", "As"], run: 0 }), "플랍: 10♦ 2♣ A♠");
});

test("the result says who has won with what", () => {
  const story = new Story();
  const won = (seat, pot, amount) => story.note({ e: "won", seat, pot, amount, run: 0 }, view);
  won(0, 0, 150);
  story.note({ e: "hand_ended", hands: [{ seat: 0, run: 0, class: "one_pair", ranks: "7AKT", cards: [] }, { seat: 1, run: 0, class: "one_pair", ranks: "7AQT", cards: [] }] });
  assert.equal(plain(result(view, story)), "Ann님이 7 원페어(키커 A·K)로 150을 땄습니다");
  assert.equal(plain(ending(view, story)[0].text()), "Ann님의 패: 7 원페어");
  won(1, 0, 152);
  won(1, 1, 71);
  assert.equal(plain(result(view, story)), "Ann님과 민지님이 메인 팟에서 7 원페어로 302를 나눠 가졌습니다\n민지님이 사이드 팟 1에서 7 원페어(키커 A·Q)로 71을 땄습니다");
});

test("hands have the names that players give them", () => {
  const named = (hole, board) => plain(handLabel(bestHand("holdem", hole.split(" "), board.split(" ").filter(Boolean))));
  assert.deepEqual(
    [named("As Kd", ""), named("7s 7d", ""), named("7s Kd", "7c Kh 2d"), named("7s Kd", "7c 7h 2d"), named("7s Kd", "7c Kh 7d 2s"), named("7s 7d", "7c 7h 2d"), named("As Ks", "Qs Js Ts")],
    ["A 하이", "7 원페어", "K·7 투페어", "7 트리플", "7·K 풀하우스", "7 포카드", "로열 플러시"],
  );
  assert.equal(game({ variant: "omaha5", limit: "pot_limit" }), "팟리밋 5카드 오마하");
  assert.equal(gameNamed("NL Hold'em"), "노리밋 홀덤");
  assert.equal(gameNamed("Razz"), "Razz");
});

test("numbers are counted in 만 and 억", () => {
  assert.deepEqual([chips(1_234_567), chipsShort(1_250_000), chipsBrief(12_500), chipsShort(20_000_000), chipsShort(345_000_000)], ["1,234,567", "125만", "1.25만", "2,000만", "3.5억"]);
  speak("en");
  assert.deepEqual([chipsShort(1_250_000), chipsBrief(12_500)], ["1.3M", "12.5K"]);
});

test("a line that was told once is told again in the language that is spoken now", () => {
  const line = describe({ e: "left", seat: 0, stack: 212 }, { seats: [{ name: "Ann" }] });
  assert.equal(plain(line.text()), "Ann님이 칩 212를 가지고 나갔습니다");
  speak("en");
  assert.equal(plain(line.text()), "Ann leaves with 212");
});

test("refusals are told by their codes with what they need to know, and an unknown one in the words that came", () => {
  const refused = (code, about) => byCode(refusals.refused, code, "as the house says", about)();
  assert.equal(refused("bad_amount", { min: 80, max: 400 }), "이 테이블의 한도를 벗어난 금액입니다. 한도는 80~400입니다.");
  assert.equal(refused("too_fast", { retry_after_ms: 1_200 }), "너무 빠릅니다. 2초 뒤에 다시 시도해 주세요.");
  for (const code of ["news", "constructor", "__proto__"]) assert.equal(refused(code), "as the house says");
});

test("the browser's first language that the page knows is spoken, then the usual one", () => {
  assert.equal(firstOf(["ko-KR", "en-US"]), "ko");
  assert.equal(firstOf(["fr-FR", "KO", "en"]), "ko");
  assert.equal(firstOf(["en-GB", "ko"]), "en");
  assert.equal(firstOf(["fr"]), "en");
  assert.equal(firstOf([]), "en");
  speak("tlh");
  assert.equal(language(), "en");
  assert.equal(page.settings(), "Settings");
  assert.equal(LANGUAGES.ko, "한국어");
  assert.equal(phrases({ en: { constructor: () => "it" }, ko: { constructor: () => "그것" } }).constructor(), "it");
});
