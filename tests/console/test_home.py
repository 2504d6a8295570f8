"""Home: figures, chart, what needs somebody."""


def test_home_shows_how_it_goes(tab):
    tab.go("/")
    tab.shot("home")
    assert "Delivered" in tab.page.inner_text("main")
    assert tab.page.locator("svg rect.bar").count() > 0
    assert tab.page.locator(".needs li").count() >= 1


def test_an_operator_chooses_the_organization(open_tab):
    tab = open_tab("operator")
    tab.go("/")
    tab.page.click(".organizations summary")
    tab.page.click("text=Other")
    assert "organization=other" in tab.page.url
    assert "No endpoint yet" in tab.page.inner_text("main")
    tab.shot("home-empty")
