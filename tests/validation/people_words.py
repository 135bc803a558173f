"""Names, streets and numbers that made-up people have."""

#: name, what its bearers are called; the commonest first
MEN = """james/jim/jimmy/jamie john/johnny/jack robert/bob/rob/bobby/robbie michael/mike/mick/mikey
william/bill/will/billy david/dave/davey richard/rick/dick/rich joseph/joe/joey thomas/tom/tommy
charles/charlie/chuck/chas christopher/chris/kit daniel/dan/danny matthew/matt/matty anthony/tony/ant mark
donald/don/donny steven/steve/stevie paul andrew/andy/drew joshua/josh kenneth/ken/kenny kevin/kev brian george
edward/ed/eddie/ted/ned ronald/ron/ronnie timothy/tim/timmy jason jeffrey/jeff ryan jacob/jake gary nicholas/nick/nicky
eric/rick jonathan/jon/jonny stephen/steve/steph larry justin scott/scotty brandon benjamin/ben/benny/benji
samuel/sam/sammy gregory/greg frank/frankie alexander/alex/al/sandy/xander raymond/ray patrick/pat/paddy jack/jackie
dennis/denny jerry tyler/ty aaron jose/pepe henry/harry/hank adam douglas/doug nathan/nate peter/pete zachary/zach/zack
kyle walter/walt/wally harold/harry/hal jeremy/jem ethan carl keith roger gerald/gerry/jerry christian/chris terry sean
arthur/art/artie austin lawrence/larry/laurie jesse dylan albert/al/bert bryan joe jordan billy bruce gabriel/gabe
logan alan/al juan wayne roy ralph eugene/gene vincent/vince/vinny russell/russ philip/phil louis/lou
frederick/fred/freddie/rick leonard/len/lenny maxwell/max theodore/ted/theo/teddy"""
WOMEN = """mary/molly/polly/mae patricia/pat/patty/trish/tricia jennifer/jen/jenny/jenna linda/lindy
elizabeth/liz/beth/betty/lizzie/eliza/betsy barbara/barb/babs susan/sue/susie jessica/jess/jessie sarah/sally/sadie
karen/kaz nancy/nan lisa margaret/maggie/meg/peggy/marge/greta betty sandra/sandy ashley/ash dorothy/dot/dotty/dolly
kimberly/kim/kimmy emily/em/emmy donna michelle/shelly/micky carol/carrie amanda/mandy/amy melissa/missy/mel
deborah/deb/debbie stephanie/steph/stevie rebecca/becky/becca sharon/shari laura/laurie cynthia/cindy
kathleen/kathy/kath/kate amy/ames angela/angie/angel shirley anna/annie/ann ruth/ruthie brenda pamela/pam/pammy
nicole/nicky/nikki katherine/kate/kathy/katie/kit/kitty samantha/sam/sammy christine/chris/tina/chrissy emma/em
helen/nell/nellie virginia/ginny/ginger debra/deb/debbie rachel/rach/shelly carolyn/carol/lynn janet/jan maria/mia
heather diane/di catherine/cathy/cate/kitty julie/jules victoria/vicky/tori/vic joyce/joy lauren/laurie kelly/kel
christina/tina/chris/chrissy joan/joanie evelyn/evie/eve judith/judy/jude andrea/andi/drea hannah cheryl/cher
jacqueline/jackie megan/meg martha/marty/patsy madison/maddie teresa/terry/tess/tessa gloria sara janice/jan ann/annie
kathryn/kate/kathy/kat abigail/abby/gail sophia/sophie frances/fran/frankie/fanny jean alice/allie/ali judy
isabella/bella/izzy/isabel julia/jules grace/gracie amber denise/dee danielle/dani marilyn/lynn beverly/bev
charlotte/charlie/lottie natalie/nat theresa/terry/tess diana/di alexandra/alex/sandra/lexi/sandy
eleanor/ellie/nell/nora gabrielle/gabby josephine/jo/josie penelope/penny wilhelmina/mina/billie philippa/pippa
susannah/sue/zanna gwendolyn/gwen harriet/hattie leonora/nora matilda/tilly/mattie"""
#: of each list so many are used
REAL = 98
STARTS = "b br c ch cl d dr f fl g gr h j k kl l m n p pr qu r s sch sh st t tr v w z  "
MIDDLES = "a ar al an ay e el en er ea i il in ir o ol on or ou u un ur y"
JOINTS = "b br ck d dd f g l ll m mb n nd ng nt p r rd rs rt s ss st t tt v w x z"
MADE_MEN, MADE_WOMEN = "o an en us in or eth ard on as", "a ia elle ine ette is yn ee ora ana"
SURNAMES = "son ley ton man er ing well ford berg ini ez ski ham wood ers ell ett is o ard ow by stein worth"
DOMAINS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "gmx.net", "mail.com")
AREAS = """201 202 203 206 210 212 213 214 215 216 217 301 302 303 305 310 312 313 314 315 316 317 319 401 402 404 405
406 407 408 410 412 413 414 415 419 501 502 503 504 505 508 509 510 512 513 515 516 518 602 603 605 606 607 608 609
612 614 615 616"""
