"""One line of Chinese text, folded for looking at and kept as written for quoting.

Why: people type the same thing in full and half width, with six kinds of dash and five kinds of
bracket. Everything else in this package looks at `Line.fold`, where those are one, and quotes from
`Line.text`, where they are as written. Both have the same length, so a position found in one is a
position in the other. Nothing here knows what a field is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CAP = 500
"""Characters of a subject that are read for fields. RFC 5322 lines hold 998 bytes, about 330
Chinese characters; no honest subject is longer than this."""

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f]"
)
"""Soft hyphen, zero-width and direction marks, variation selectors: pasted along, never meant."""

_BREAKS = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")


_TRADITIONAL = (
    "農業務財經濟發張陳劉楊黃趙吳孫馬鄭謝韓馮鄧許蘇盧蔣賈葉鄒陸譚範龍賀顧龔萬錢湯溫閻閆薑"
    "嚴蕭鐘鍾聶齊喬龐顏莊魯單畢駱關蘭歐陽倫賴費韋紀鳳簡車連蘆麥婁竇黨衛項桿鄔邊遲甯寧鄺欒"
    "榮叢鞏師應諶儲粵羅祿豐雲閔報標題聯繫係電話機號碼絡員責職長訊類別調約專綜問動態誌內條"
    "個則歲轉覆復讀閱請審簽見辦處縣區鎮鄉廳會團協館醫療學園場廠國稅計統環監執資規劃爾總體"
    "遊廣視臺氣災險測繪遠運輸郵軍級屬實質檢驗產創進順備購習書記組織傳戰線訪維穩綠網數據庫"
    "幹養飼種糧澤灣溝橋樓鋼鐵銀銅鋁礦愛慶華貴賢輝燁瑩潔麗靈瓊鶯艷蓮飛騰達遙傑偉儉億優勝勁"
    "勳勵誠諾謙讓譽論議證評曉晉晝曆歷東棟樂樹權歡濤瀟灝煥煒燦爭獻瑋璽強彥徹徵後從恆懷憲戀"
    "戲揚撫擁擇敘朧殘潤淨滿漢漸為無牽獨現瑤畫異當盡盤眾碩禎禮禦穎積竅競筆節築籌純紅紹細終"
    "結給絲綱綺緒緣編績繼續義聖聰聲聽肅膚興舉舊艦藝藍藥虛蟲補裝製複觀覺親觸訂訓設詢試詩該"
    "詳語說課談講護變讚豬貝負貢貧貨販貫貸貿賓賞賣贈贊趨跡踐蹤軌軟較載輕輛輪轄辭遞遷選適邁"
    "還鄰釋釀針鈞鈴鋒錄錦鍵鎖鏡鑒門閉開間閣隊階際隨隱雙雜雞離難霧靜響頁頂須預領頭頻額願風"
    "飯飲駐駕駿騎驚髮鬥魚鮮鳴鴻鵬鶴點齡"
)
_SIMPLIFIED = (
    "农业务财经济发张陈刘杨黄赵吴孙马郑谢韩冯邓许苏卢蒋贾叶邹陆谭范龙贺顾龚万钱汤温阎闫姜"
    "严萧钟钟聂齐乔庞颜庄鲁单毕骆关兰欧阳伦赖费韦纪凤简车连芦麦娄窦党卫项杆邬边迟宁宁邝栾"
    "荣丛巩师应谌储粤罗禄丰云闵报标题联系系电话机号码络员责职长讯类别调约专综问动态志内条"
    "个则岁转复复读阅请审签见办处县区镇乡厅会团协馆医疗学园场厂国税计统环监执资规划尔总体"
    "游广视台气灾险测绘远运输邮军级属实质检验产创进顺备购习书记组织传战线访维稳绿网数据库"
    "干养饲种粮泽湾沟桥楼钢铁银铜铝矿爱庆华贵贤辉烨莹洁丽灵琼莺艳莲飞腾达遥杰伟俭亿优胜劲"
    "勋励诚诺谦让誉论议证评晓晋昼历历东栋乐树权欢涛潇灏焕炜灿争献玮玺强彦彻征后从恒怀宪恋"
    "戏扬抚拥择叙胧残润净满汉渐为无牵独现瑶画异当尽盘众硕祯礼御颖积窍竞笔节筑筹纯红绍细终"
    "结给丝纲绮绪缘编绩继续义圣聪声听肃肤兴举旧舰艺蓝药虚虫补装制复观觉亲触订训设询试诗该"
    "详语说课谈讲护变赞猪贝负贡贫货贩贯贷贸宾赏卖赠赞趋迹践踪轨软较载轻辆轮辖辞递迁选适迈"
    "还邻释酿针钧铃锋录锦键锁镜鉴门闭开间阁队阶际随隐双杂鸡离难雾静响页顶须预领头频额愿风"
    "饭饮驻驾骏骑惊发斗鱼鲜鸣鸿鹏鹤点龄"
)
"""Place by place: traditional characters and those of the 简化字总表 for them, as far as they occur
in names of units and persons, labels and the wording of statements. Some input methods write them;
a name is the same name in either."""


def _table() -> dict[int, str]:
    table = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
    groups = {
        " ": "\u3000\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f",
        "-": "‐‑‒–—―−─━﹘﹣﹉⸺⸻－",
        "(": "（﹙⦅",
        ")": "）﹚⦆",
        "[": "【〔［〖「『｢﹁﹃﹝｛{",
        "]": "】〕］〗」』｣﹂﹄﹞｝}",
        "·": "・•‧∙⋅･●◆■▪",
        "|": "｜│┃︱¦丨",
        "/": "／∕⁄",
        "\\": "＼",
        "~": "～〜∼",
        "。": "｡",
        "、": "､﹑",
        ":": "：﹕∶",
        ",": "，﹐",
        ";": "；﹔",
        "+": "﹢➕✚",
        '"': "＂",
    }
    for plain, variants in groups.items():
        table.update({ord(c): plain for c in variants})
    for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[ord(upper)] = upper.lower()
        table[ord(upper) + 0xFEE0] = upper.lower()
    table.update({ord(old): new for old, new in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)})
    return table


_FOLD = _table()


def fold(text: str) -> str:
    """Half width, ASCII lower case, one kind of dash, bracket and space, simplified characters;
    character for character, so that `len(fold(x)) == len(x)`."""
    return text.translate(_FOLD)


def clean(text: str) -> str:
    """`text` without invisible characters, breaks and lone surrogates as spaces, ends trimmed."""
    return _BREAKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def is_cjk(char: str) -> bool:
    """An ideograph as used in names and words (URO, extension A, compatibility, beyond the BMP)."""
    return (
        "\u4e00" <= char <= "\u9fff"
        or "\u3400" <= char <= "\u4dbf"
        or "\uf900" <= char <= "\ufaff"
        or "\U00020000" <= char <= "\U0003fffd"
        or char == "〇"
    )


def is_symbol(char: str) -> bool:
    """Emoji and ornaments: they separate as a dash does and never belong to a name."""
    return (
        ord(char) > 0x2000
        and unicodedata.category(char) in ("So", "Sk", "Sm")
        and not any(c.isalnum() for c in unicodedata.normalize("NFKC", char))  # ℃, ㎡
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A cleaned line and its folded twin, equal in length."""

    text: str
    fold: str

    @classmethod
    def of(cls, text: str) -> Line:
        cleaned = clean(text)
        return cls(cleaned, fold(cleaned))

    def cut(self, start: int, end: int) -> Line:
        return Line(self.text[start:end], self.fold[start:end])

    def strip(self) -> Line:
        start, end = trim(self.fold, 0, len(self.fold), " ")
        return self.cut(start, end)


def trim(folded: str, start: int, end: int, chars: str) -> tuple[int, int]:
    """The span without leading and trailing `chars`."""
    while start < end and folded[start] in chars:
        start += 1
    while end > start and folded[end - 1] in chars:
        end -= 1
    return start, end


_QUOTES = {"“": "”", "《": "》", "〈": "〉", "‘": "’", "„": "”", "«": "»", '"': '"', "〝": "〞"}


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Outermost quoted or book-marked spans, marks included. What stands in them is the author's
    wording: no delimiter, phone or label is looked for there. Unpaired marks quote nothing."""
    closers: dict[str, list[int]] = {}
    for i, char in enumerate(text):
        if char in _QUOTES.values():
            closers.setdefault(char, []).append(i)
    spans: list[tuple[int, int]] = []
    i = 0
    used = dict.fromkeys(closers, 0)
    while i < len(text):
        closer = _QUOTES.get(text[i])
        places = closers.get(closer, []) if closer else []
        if closer and places:
            k = used[closer]
            while k < len(places) and places[k] <= i:
                k += 1
            used[closer] = k
            if k < len(places):
                spans.append((i, places[k] + 1))
                i = places[k]
        i += 1
    return spans


def bracket_pairs(folded: str, skip: list[bool]) -> list[tuple[int, int]]:
    """Outermost matching pairs of folded brackets `()` and `[]` (position of the opening and of
    the closing one), outside positions marked in `skip`. Unmatched brackets pair with nothing."""
    stack: list[int] = []
    pairs: list[tuple[int, int]] = []
    wanted = {")": "(", "]": "["}
    for i, char in enumerate(folded):
        if skip[i]:
            continue
        if char in "([":
            stack.append(i)
        elif char in wanted:
            depth = len(stack) - 1
            # A stray opening bracket of the other kind inside is stepped over; a deep search
            # through a long stack would be quadratic, and nobody nests brackets deeper than this.
            while depth >= max(0, len(stack) - 4) and folded[stack[depth]] != wanted[char]:
                depth -= 1
            if depth >= max(0, len(stack) - 4):
                start = stack[depth]
                del stack[depth:]
                while pairs and pairs[-1][0] > start:
                    pairs.pop()
                pairs.append((start, i))
    return pairs
