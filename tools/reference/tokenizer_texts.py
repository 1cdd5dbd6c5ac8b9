"""The hard texts of tokenizer_vectors.py: prose in many languages, code, rows of signs, and random strings.

Every text is written for this file. Three of four in PROSE and CODE are also what the tokenizers are trained on, so that they meet
both what they know and what they do not.
"""

import random

PROSE = [
    "The lamp in the harbour office burned until four in the morning, because nobody had told the clerk that the ship was not "
    "coming. He had written its name at the top of a fresh page, ruled two lines below it, and waited.",
    "Bread is flour, water, salt and time. Of the four, time is the one that beginners leave out; they knead for twenty minutes "
    "what a night on the window sill would have done without them.",
    "A library card costs nothing, and yet it is the most expensive thing in the town: forty thousand books, two reading rooms, "
    "a boiler from 1962, and Mrs Okafor, who knows where everything is.",
    "Why does a mirror swap left and right but not up and down? It does neither. It swaps front and back, and we turn round in "
    "our heads to shake hands with ourselves.",
    "\"You can't have both,\" said the ferryman. \"Either we'll cross now, or you'll wait for the others and I've gone home.\" They'd "
    "heard it before; he'd said it every evening that summer. It's how he said good night.",
    "Measure twice, cut once. The second measurement isn't there to find out how long the board is, it's there to find out "
    "whether you can read a ruler.",
    "On the third day the rain stopped, the road dried, and the carts that had stood in the yard since Sunday rolled out one "
    "after another: apples, roof tiles, a piano, and eleven crates marked FRAGILE in red paint.",
    "Our neighbour keeps bees. In May they hang in the pear tree like a brown beard, and he walks up to them in his slippers, "
    "shakes the branch once, and carries them home in a cardboard box.",
    "Please return the key to the hook. If the hook is missing, please return the hook. If both are missing, the management "
    "would be glad to hear of it before the winter.",
    "The train to Vlorë leaves at 07:45, arrives at 11:02, and has done neither since October.",
    "晚上下雨的时候,奶奶把院子里的花盆一个一个搬进屋里。她说花和人一样,淋一点雨不要紧,吹一夜的风就不行了。",
    "这家面馆没有名字,门口只挂着一块写着\u201c面\u201d字的木牌。老板每天早上五点开门,卖完两百碗就关门,从来不多做一碗。",
    "学游泳最难的不是换气,而是相信水。你越是用力,就沉得越快;等你什么都不想了,水自己会把你托起来。",
    "问:一辆公共汽车上有 23 个人,到站后下去 7 个,又上来 12 个,现在车上有多少人?\n答:23 − 7 + 12 = 28,所以现在车上有 28 个人。",
    "他把地图铺在桌子上,用铅笔画了一条线:从码头出发,经过灯塔,绕过三座小岛,最后回到码头。\u201c一共四十海里,\u201d他说,\u201c顺风的话,"
    "天黑以前能到。\u201d",
    "小猫第一次看见雪,伸出爪子碰了一下,又赶紧缩回来。过了一会儿,它发现雪不咬人,就在院子里跑来跑去,留下一串梅花。",
    "图书馆里最安静的地方是三楼靠窗的位置。下午的阳光从左边照进来,先照到书,再照到手,最后照到对面空着的椅子。",
    "程序员的一天:上午写代码,下午改上午写的代码,晚上把代码改回来。第二天早上,同事说:这个地方你昨天不是已经改过了吗?",
    "請把鑰匙掛回原處。如果掛鉤不見了,請先把掛鉤找回來;如果兩樣都不見了,管理員希望在冬天以前知道這件事。",
    "雨の日は、駅前の喫茶店が混みます。窓ぎわの席にすわって、コーヒーをたのみ、だれも来ないことを知りながら、だれかを待っているふりを"
    "します。",
    "庭の柿の木は、祖父が植えたものです。毎年秋になると、カラスが先に食べて、私たちはその残りを食べます。",
    "어제 저녁에 창문을 열어 두었더니 고양이 한 마리가 들어와서 책상 위에서 자고 있었다. 깨우지 않고 불을 껐다.",
    "비가 오면 시장의 할머니들은 파란 천막을 치고, 비가 그치면 다시 걷는다. 하루에 다섯 번쯤.",
    "Старый мост чинили каждую весну: меняли две доски, красили перила и вешали табличку \u00abОсторожно\u00bb. Летом по нему ходили козы.",
    "Если часы стоят, они показывают верное время дважды в сутки; если спешат на минуту \u2014 никогда.",
    "El panadero abre a las cinco, el periódico llega a las seis y el perro de la plaza, que no tiene dueño ni reloj, ladra a las "
    "siete en punto. ¿Quién le avisa? ¡Nadie lo sabe!",
    "Der Bäcker öffnet um fünf, die Zeitung kommt um sechs; größere Übergänge als diese gibt es im Dorf nicht. Straßenbahnhaltestellen"
    "aufsichtsbeamte auch nicht.",
    "Le boulanger ouvre à cinq heures. L'été, qu'il fasse beau ou non, c'est déjà l'aube ; l'hiver, c'est encore la nuit, et "
    "l'odeur du pain sert d'étoile.",
    "O padeiro abre às cinco; não há pão antes disso, nem coração que aguente esperar até às nove.",
    "Fırıncı beşte açar; ışık sokağa düşer, İstanbul'un kedileri IŞIĞA değil, kokuya gelir.",
    "Tiệm bánh mở cửa lúc năm giờ sáng. Mùi bánh mì nóng đi trước, người bán đi sau, còn con mèo thì đã ngồi đợi từ lâu.",
    "Ο φούρναρης ανοίγει στις πέντε. Η πλατεία είναι άδεια, ο σκύλος κοιμάται, και το ρολόι του δήμου δείχνει ακόμα μεσάνυχτα.",
    "הרכבת האחרונה יוצאת בחצות, אבל אף אחד לא ממהר: הנהג שותה תה עם הכרטיסן עד שמגיע הנוסע האחרון.",
    "يفتح الخباز دكانه في الخامسة صباحًا، ويصل الحليب في السادسة، ثم تستيقظ القرية كلها على رائحة الخبز. كم الساعة الآن؟ ٧:٤٥.",
    "नानबाई पाँच बजे दुकान खोलता है। पहले रोटी की ख़ुशबू आती है, फिर ग्राहक, और सबसे अंत में सूरज।",
    "ร้านขนมปังเปิดตีห้า กลิ่นหอมออกไปก่อน คนซื้อมาทีหลัง ส่วนแมวนั่งรออยู่แล้วตั้งแต่เมื่อคืน",
    "ரொட்டிக் கடை காலை ஐந்து மணிக்குத் திறக்கிறது. மணம் முன்னே செல்கிறது, மக்கள் பின்னே வருகிறார்கள்.",
    "მცხობელი ხუთ საათზე აღებს. სოფელს ჯერ ძინავს, მაგრამ კატა უკვე კართან ზის.",
    "ហាងនំប៉័ងបើកនៅម៉ោងប្រាំ ក្លិនឈ្ងុយចេញមុន មនុស្សមកក្រោយ",
    "Mwokaji mikate hufungua saa kumi na moja alfajiri. Harufu hutangulia, watu hufuata.",
    "Հացթուխը բացում է ժամը հինգին։ Նախ գալիս է հոտը, հետո՝ մարդիկ։",
    "የዳቦ ቤቱ በአሥራ አንድ ሰዓት ይከፈታል። ሽታው ቀድሞ ይወጣል፣ ሰዎች ይከተላሉ።",
    "Piekarz otwiera o piątej; źdźbło światła, łyk kawy i już kolejka. Żółw by zdążył.",
    "Pekař otevírá v pět, příliš žluťoučký kůň ještě spí, a přesto už někdo klepe na okénko.",
    "今天的菜单 (menu of the day): 番茄炒蛋 ¥18, mapo tofu ¥22, 米饭 free。Wi-Fi 密码是 12345678, please don't tell 隔壁。",
    "User: Can you explain what a hash table is?\nAssistant: Sure! Imagine a cloakroom: the ticket number tells the attendant which "
    "hook your coat hangs on, so nobody has to look through all of them.\nUser: And if two coats get the same hook?\n"
    "Assistant: Then they share it, and the attendant looks at two.",
    "Shopping list:\n  1. two lemons\n  2. 500 g flour\n  3. yeast (fresh!)\n  4. something for the cat\n\nDon't forget: the shop closes at 6.30 p.m.",
    "# Notes\n\n*Emphasis*, **strength**, `code`, ~~regret~~.\n\n- [ ] write the second chapter\n- [x] water the plants\n\n> The rest is margin.\n\n"
    "| day | loaves | price |\n|-----|-------:|------:|\n| Mon | 120 | £3.40 |\n| Tue | 95 | £3.40 |\n",
]

CODE = [
    "def mean(values: list[float]) -> float:\n    \"\"\"The arithmetic mean; an empty list has none.\"\"\"\n    if not values:\n        raise ValueError(\"no values\")\n"
    "    return sum(values) / len(values)\n",
    "for i in range(1, 101):\n\tprint(\"fizz\" * (i % 3 == 0) + \"buzz\" * (i % 5 == 0) or i)\n",
    "struct Point { var x = 0.0, y = 0.0 }\n\nextension Point {\n  static func + (a: Point, b: Point) -> Point {\n    Point(x: a.x + b.x, y: a.y + b.y)\n  }\n}\n",
    "#include <stdio.h>\n\nint main(void) {\n    unsigned long long n = 1;\n    while (n <<= 1) printf(\"%llu\\n\", n);  /* until it falls off */\n    return 0;\n}\n",
    "const total = rows\n  .filter((row) => row.kind !== 'draft' && !row.hidden)\n  .map(({ price, count }) => price * count)\n  .reduce((a, b) => a + b, 0);\n",
    "SELECT t.name, COUNT(*) AS n\nFROM trains AS t\nLEFT JOIN delays AS d ON d.train_id = t.id\nWHERE t.active = 1 AND d.minutes >= 5\nGROUP BY t.name\nHAVING n > 10\nORDER BY n DESC;\n",
    "<!DOCTYPE html>\n<html><head><title>Bread</title></head>\n<body><h1>Loaves</h1><p>Twelve <b>rye</b>, seven <i>wheat</i>.<br/></p></body></html>\n",
    "{\"name\": \"oven\", \"degrees\": 230, \"open\": false, \"shelves\": [1, 2, 3.5e-2], \"note\": \"don\\u2019t touch\\n\", \"next\": null}",
    "for f in *.txt; do\n  [ -s \"$f\" ] || continue\n  wc -l < \"$f\" | awk '{ n += $1 } END { print n }' >> \"${OUT:-/dev/stdout}\"\ndone\n",
    "fn main() {\n    let words: Vec<&str> = \"one two  three\".split_whitespace().collect();\n    println!(\"{:?} {}\", words, words.len());\n}\n",
    "\\begin{equation}\n  \\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2} \\approx 0.886\\,226\\,925\n\\end{equation}\n",
    "https://example.org/a/b?q=%E9%9D%A2%E5%8C%85&lang=zh-CN#top user.name+tag@mail.example.co.uk ssh://10.0.0.1:2222/~/x C:\\Users\\me\\file.txt",
    "diff --git a/oven.c b/oven.c\n@@ -1,3 +1,3 @@\n-  heat(200);\n+  heat(230);  // hotter\n   wait();\n",
    "0x7fff_ffff 0b1010 1e-9 -0.0 +3 .5 5. 1,000,000 1'000'000 12:34:56 2031-12-24T18:00:00Z 99% #1 №5 §7 ¹²³ ½ Ⅻ ४२ ٣٤ ３．５",
]

MARKS = [
    "", " ", "  ", "   ", "    ", "\t", "\n", "\r\n", "\n\n\n", " \n \n", "\t\t\tx", "  x", "x  ", " x ", "a  b   c    d     e",
    "line one\r\nline two\rline three\n", "\u3000\u3000全角\u3000空格\u3000", "a\u00a0b\u2007c\u202fd", "\u2028\u2029\u0085", "\u200b\u200c\u200d\u2060\ufeff",
    "\x00", "\x01\x02\x1b[0m\x7f", "\ufffd\ufffe\uffff", "\ue000\uf8ff", "\U000e0041\U000e007f", "\U0010ffff",
    "😀", "👍🏽👩‍👩‍👧‍👦🏳️‍🌈", "🇨🇭🇨🇳🇺", "☃︎☃️1️⃣", "e\u0301 é a\u0308\u0304 ǟ", "Z̸̡̢̛͕̗͖̓̈́ä̴l̷͎g̶̝o̵", "\u0301\u0301leading marks", "ﬃ ﬁ ǆ ŉ ſ ẞ ß ĳ",
    "ＡＢＣ１２３，．！？", "㈱㍿㌔㎏℃№™ⅷ①⑳", "ｶﾞｷﾞｸﾞ ガギグ カ\u3099", "각 \u1100\u1161\u11a8 ㄱㅏㄱ", "İıIi ΣΑΣ ς ῼ", "ا\u200cب لا لله", "\u0928\u094d\u092e \u0928\u094d\u200d\u092e",
    "<s>", "</s>", "<unk>", "<pad>", "<s>a</s>b<s>", "<|im_start|>user\n你好<|im_end|>\n<|im_start|>assistant\n", "<|endoftext|><|endoftext|>", "[INST] hi [/INST]",
    "<0x0A><0xE4>", "<|im_start", "|im_end|>", "< s >", "<S>", "▁▁▁", "▁a ▁ b▁", "Ġhello Ċ", "##ing", "</w>",
    "!!!!!!!!!!", "......", "?!?!", "()[]{}<>«»“”‘’", "--- *** ___ ===", "$£€¥₿", "a.b,c;d:e!f?g", "。,、;:?!「」『』【】", "…… —— ～",
    "0", "00", "000", "0000000000", "1234567890123456789012345", "1 22 333 4444 55555", "3.14159265358979", "x1y22z333", "٠١٢٣٤٥٦٧٨٩", "零一二三四五六七八九十百千万亿",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ababababababababababababababababab", "的" * 60, "啊啊啊!!!啊啊啊", "loaf" * 30, "xX" * 50 + " " * 50,
    "supercalifragilisticexpialidocious antidisestablishmentarianism", "IT'S I'LL you'D we'VE 'tis rock'n'roll", "camelCase PascalCase snake_case kebab-case SCREAMING_CASE",
    "iPhone15Pro GPT-4o H2O C++17 i18n", "ﷺ ﷽", "\u202eright to left\u202c", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙𝟚", "𠀀𠮷𪚥 ⿰木木", "ᚠᚢᚦ 𓀀𓂀 𐍈", "བོད་སྐད། မြန်မာ ລາວ",
]  # fmt: skip

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz     ", "ABCdef 0123456789.,;:'\"!?-_/\\()", "的一是不了人我在有他这中大来上国,。!? ", "αβγδε абвгд אבגד ابجد ",
    "あいうアイウ漢字ー。 가나다", " \t\n\r\u3000\u00a0x", "e\u0301\u0327a\u030ao\u0308 \u1e9b\u0323", "😀👍🏽\u200d♀️🇨🇳 ", "<|im_start|></s>[INST]▁Ġ##", "\x00\x1f\x7f\u0080\u00ad\u200b\u2028\ufeff\ufffd z",
]


def strings(count: int) -> list[str]:
    """Random strings: half from one alphabet each, half from all of them."""
    draw = random.Random(1208)
    out = []
    for index in range(count):
        letters = draw.choice(ALPHABETS) if index % 2 else "".join(ALPHABETS)
        out.append("".join(draw.choices(letters, k=draw.randint(5, 90))))
    return out


TEXTS = PROSE + CODE + MARKS + strings(40)
TRAINING = [text for index, text in enumerate(PROSE + CODE) if index % 4]
