import FireflyBase
import Testing

@Test(
  arguments: [
    ("a", ""), ("", ""), (".", ""), ("/", "/"), ("/a", "/"), ("a/", ""), ("a/b", "a"), ("/a/b", "/a"),
    ("./a", "."), ("../é/b.txt", "../é"), ("a//b//", "a"), ("/a/b/c/", "/a/b"),
  ])
func theParentFolderIsWhatStandsBeforeTheName(_ path: String, _ folder: String) {
  #expect(path.parentFolder == folder)
}
