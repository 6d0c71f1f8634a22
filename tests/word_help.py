"""Documents as offices write them, for the tests of Word files. Invented units and people."""

from __future__ import annotations

from datetime import date

from mailbot.core.documents.model import (
    Annex,
    Block,
    Document,
    Heading,
    Paragraph,
    TableBlock,
)

SENTENCE = (
    "各单位要进一步提高政治站位，围绕中心工作和领导决策需求，及时、准确、全面报送政务信息，"
    "坚决杜绝迟报、漏报、瞒报和误报。"
)
LONG_NAME = "某某自治区某某市某某旗农牧和科学技术事业发展综合服务中心（乡村振兴局）"
HEADER = ("排名", "单位", "报送条数", "市级采用", "自治区采用", "本季得分", "累计得分")


def ranking(caption: str, units: int, *, note: str = "") -> TableBlock:
    """Unit names carry the caption, so that a row is found on the paper again."""
    rows = tuple(
        (
            str(i),
            LONG_NAME if i == 2 else f"{caption}示例局{i:02}号",
            str(40 - i % 7),
            str(i % 5),
            str(i % 3),
            f"{123.5 - i:.1f}",
            f"{1323.5 - 3 * i:.1f}",
        )
        for i in range(1, units + 1)
    )
    return TableBlock(
        HEADER, rows, (3, 14, 4, 4, 4, 5, 6), caption, note, frozenset({0, 2, 3, 4, 5, 6})
    )


def titles(count: int) -> TableBlock:
    rows = tuple(
        (
            str(i),
            f"示例局{i % 20}",
            f"第{i:03}件："
            + ("关于做好秋冬季草原防火和农牧业生产服务保障工作的几点做法" * (i % 3)),
            "王甲",
            f"{i % 9 + 1}月{i % 28 + 1}日",
        )
        for i in range(1, count + 1)
    )
    return TableBlock(
        ("序号", "单位", "标题", "报送人", "采用日期"), rows, (3, 8, 24, 4, 6),
        centred=frozenset({0, 3, 4}),
    )  # fmt: skip


def plain(*blocks: Block, **more: object) -> Document:
    given: dict[str, object] = {
        "title": "关于政务信息工作的通知",
        "addressee": "各镇人民政府",
        "issuer": "示例旗人民政府办公室",
        "issued": date(2026, 10, 8),
    }
    return Document(blocks=blocks, **(given | more))  # type: ignore[arg-type]


def circular() -> Document:
    return plain(
        Paragraph("根据有关规定，现将2026年第三季度政务信息报送采用情况通报如下："),
        Heading(1, "一、总体情况"),
        Paragraph("三季度共收到政务信息1,234条，采用456条。" + SENTENCE),
        Heading(1, "二、各组排名"),
        ranking("第一组", 5, note="注：并列的名次相同。"),
        ranking("第二组", 31),
        ranking("第三组", 16),
        Heading(1, "三、表扬和批评"),
        Heading(2, "（一）通报表扬"),
        Paragraph("朱镕某、赵喆某、钱堃某、孙𬭳某、李龘某。", bold=True),
        Heading(3, "1.连续两个月未报送的单位"),
        Heading(4, "（1）其他"),
        Paragraph(SENTENCE),
        title="示例旗人民政府办公室关于2026年第三季度政务信息报送采用情况的通报",
        number="示政办通〔2026〕12号",
        addressee="示例经济开发区管理委员会，各镇人民政府，旗人民政府各部门，各直属单位",
        annexes=(
            Annex("2026年第三季度采用信息标题", (titles(60),)),
            Annex("报送要求", (Paragraph(SENTENCE * 3),)),
        ),
        openness="主动公开",
        copies="旗委办公室，旗人大常委会办公室，旗政协办公室，旗纪委监委，旗人民法院，旗人民检察院",
    )
